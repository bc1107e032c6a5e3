// Asks the server for what it plays for this page alone. Throws an Error with the server's words.

export async function ask(url, feed, parameters = []) {
  const query = new URLSearchParams([["feed", feed], ...parameters]);
  const response = await fetch(`${url}?${query}`, { cache: "no-store" });
  if (response.headers.get("content-type") !== "application/json") {
    throw new Error(`The server answers ${response.status}. Reload the page.`);
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}
