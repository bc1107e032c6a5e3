// The address of a lesson with a target and steps:
// `/lessons/03-stop/?target=exercise#step=connect&step=close`.

// The link. `steps` are texts. The worked example is what a lesson shows, so a link leaves it out.
export function linkTo(address, target, steps) {
  const url = new URL(address);
  url.search = target === "example" ? "" : `?target=${target}`;
  url.hash = String(new URLSearchParams(steps.map((step) => ["step", step])));
  return url.href;
}

// {target, steps} of an address.
export function readLink(address) {
  const { searchParams, hash } = new URL(address);
  const steps = new URLSearchParams(hash.slice(1)).getAll("step");
  return { target: searchParams.get("target") ?? "example", steps };
}
