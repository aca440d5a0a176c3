/** What the simulator refuses, with the texts of CSC v1.0.4.0 (section 11) unless a dialect has its own. */
export class Refusal extends Error {
  readonly status: number;
  readonly error: string;
  readonly description: string;

  constructor(description: string, error = 'invalid_request', status = 400) {
    super(description);
    this.status = status;
    this.error = error;
    this.description = description;
  }
}
