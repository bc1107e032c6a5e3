// What the caption of a transcript in a text says: the name of a target, and a code element for each step.

// Yields {caption, target, steps} for each transcript.
export function* transcripts(text) {
  for (const caption of text.querySelectorAll(".transcript figcaption")) {
    const steps = [...caption.querySelectorAll("code")].map((one) => one.textContent);
    yield { caption, target: caption.dataset.target, steps };
  }
}
