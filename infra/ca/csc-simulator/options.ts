/** How the simulator is set up. Everything but the port has a default in `startSimulator`. */
export interface SimulatorOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Registered redirect addresses; one on 127.0.0.1 or localhost matches any port (RFC 8252, 7.3). */
  readonly redirectUris: readonly string[];
  /** Wrong PINs, or wrong OTPs, in a row that lock a credential. */
  readonly lockAfterTries: number;
  readonly now: () => Date;
}
