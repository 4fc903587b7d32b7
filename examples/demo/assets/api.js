// Calls of the public HTTP API, as any page could make them.

// Refused is a problem that the server answered with.
export class Refused extends Error {
  constructor(problem) {
    super(problem.detail || problem.title || problem.code);
    this.problem = problem;
    this.code = problem.code;
  }
}

// Unreachable: no answer, or one that says to come back later.
export class Unreachable extends Error {}

// patience is how long an ordinary call may take, in milliseconds.
const patience = 8000;

// root is where the server is: this file is at demo/assets/VERSION/api.js there,
// whatever prefix a proxy has put before it.
export const root = new URL('../../../', import.meta.url).href;

async function call(path, init) {
  let response, answer;
  try {
    response = await fetch(root + path, init);
    answer = await response.json();
  } catch (cause) {
    throw new Unreachable(path, { cause });
  }
  if (response.ok) return answer;
  if (response.status >= 500) throw new Unreachable(answer.detail);
  throw new Refused(answer);
}

export const get = (path) => call(path, { signal: AbortSignal.timeout(patience) });

export const post = (path, body, { headers = {}, signal = AbortSignal.timeout(patience) } = {}) =>
  call(path, {
    method: 'POST', signal, body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', ...headers },
  });

