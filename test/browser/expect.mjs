// What Node's assert is to the other tests, for a page.

export function equal(actual, expected, what = "") {
  if (!Object.is(actual, expected)) throw new Error(`${what}: ${String(actual)}, not ${String(expected)}`);
}

export function ok(value, what) {
  if (!value) throw new Error(`not so: ${what}`);
}

export function throwsCode(code, call) {
  try {
    call();
  } catch (error) {
    equal(error.code, code, "the error's code");
    return;
  }
  throw new Error(`no ${code} was thrown`);
}
