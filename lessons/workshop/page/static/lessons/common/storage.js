// What this browser, or this tab of it, remembers for the user. If the browser forbids a page to store
// anything, nothing is remembered, and nothing fails.

export function stored(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function store(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // The choice lasts until the user leaves the page.
  }
}

export function storedForTab(key) {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

// An empty value forgets the key.
export function storeForTab(key, value) {
  try {
    if (value) sessionStorage.setItem(key, value);
    else sessionStorage.removeItem(key);
  } catch {
    // The choice lasts until the user leaves the page.
  }
}
