/** Calls a function of the program's from inside an operation that must go on: what it throws is told later. */
export function tell(fn: () => void): void {
  try {
    fn();
  } catch (error) {
    // as a promise that nobody looks at
    void Promise.reject(error);
  }
}
