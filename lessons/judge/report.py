"""Writes a verdict as plain text, for pytest and logs."""

from lessons.core.diagnoses import diagnosis
from lessons.judge.verdict import Outcome, Verdict
from lessons.simulator.finding import Finding
from lessons.wire.transcript import render


def explain(verdict: Verdict) -> str:
    """A whole verdict: a tick or a cross for each check, and the reason for each cross."""
    lines = [f"{verdict.lesson}, {verdict.target}: {'green' if verdict.green else 'red'}"]
    if verdict.problem:
        lines.append(explain_finding(verdict.problem))
    for outcome in verdict.outcomes:
        mark = {"green": "✓", "red": "✗", "not run": "-"}[outcome.state]
        lines.append(f"{mark} {outcome.claim}")
        if outcome.state == "red":
            lines.append(explain_outcome(outcome))
    return "\n".join(lines)


def explain_outcome(outcome: Outcome) -> str:
    """Why a check is red: the finding, then the transcript."""
    transcript = render(outcome.transcript)
    return explain_finding(outcome.finding) + (f"\n\n{transcript}" if transcript else "")


def explain_finding(finding: Finding) -> str:
    """What happened and where, then the cause and the cure."""
    known = diagnosis(finding.diagnosis)
    parts = [finding.message, finding.detail, f"Why: {known.cause}", f"Cure: {known.cure}"]
    return "\n".join(part for part in parts if part)
