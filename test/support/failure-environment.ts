import { TestEnvironment } from 'jest-environment-node';

/** Jest's environment for end-to-end tests: remembers that something failed, so that the logs of the processes, or a picture of the page, can be shown beside it. */
export default class FailureEnvironment extends TestEnvironment {
  handleTestEvent({ name }: { readonly name: string }): void {
    if (name === 'test_start') this.global['isTestFailed'] = false;
    if (name === 'test_fn_failure' || name === 'hook_failure') {
      this.global.hasFailedTests = true;
      this.global['isTestFailed'] = true;
    }
  }
}
