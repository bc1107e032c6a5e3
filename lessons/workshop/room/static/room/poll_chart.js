// The answers of a class to a question, as bars. One bar for each round, so that one sees what the
// discussion has changed.

import { element, headerCell } from "../lessons/common/dom.js";
import { frequentOrders, letterOf, lettersOf, sum, ticks, votesOf } from "./poll_answers.js";

// A table. `rounds` count the answers of each round: [{answer: count}]. Without rounds it shows what
// one can answer, and no votes.
export function chartOf(poll, question, isShown) {
  const rounds = poll.rounds.map(votesOf);
  const totals = rounds.map((votes) => sum([...votes.values()]));
  return question.kind === "receives"
    ? receivers(rounds, totals, question, isShown)
    : orders(rounds, totals, question, isShown);
}

// The answers to a written question.
export function optionsChart(options, rounds) {
  if (!rounds.length) return element("p", options.join(" · "), "options");
  const table = element("table", "", "chart");
  const totals = rounds.map((votes) => sum(Object.values(votes)));
  for (const option of options) {
    const row = table.insertRow();
    row.append(headerCell(option, "row"));
    row.insertCell().append(...bars(rounds.map((votes) => votes[option] ?? 0), totals));
  }
  return scrolling(table);
}

function receivers(rounds, totals, { cards, clients, received }, isShown) {
  const counted = rounds.map(ticks);
  const table = element("table", "", "chart");
  const head = table.createTHead().insertRow();
  head.append(headerCell("What is sent", "col"));
  for (const client of clients) head.append(headerCell(clients.length > 1 ? `client ${client}` : "arrives", "col"));
  const body = table.createTBody();
  cards.forEach((label, number) => {
    const row = body.insertRow();
    const first = headerCell("", "row");
    first.append(element("code", label));
    row.append(first);
    for (const client of clients) {
      const tick = `${client}:${number}`;
      const cell = row.insertCell();
      if (isShown) mark(cell, received.includes(tick));
      cell.append(...bars(counted.map((votes) => votes.get(tick) ?? 0), totals));
    }
  });
  return scrolling(table);
}

function orders(rounds, totals, { cards, letters, grades }, isShown) {
  const box = element("div", "", "order-chart");
  box.append(legend(cards, letters));
  if (!rounds.length) return box;
  const { shown, rest } = frequentOrders(rounds);
  const table = element("table", "", "chart");
  const head = table.createTHead().insertRow();
  head.append(headerCell("Order", "col"), headerCell("Votes", "col"));
  const body = table.createTBody();
  for (const answer of shown) {
    const row = body.insertRow();
    row.append(headerCell(lettersOf(answer, letters), "row"));
    const cell = row.insertCell();
    if (isShown) mark(cell, grades[answer] === true);
    cell.append(...bars(rounds.map((votes) => votes.get(answer) ?? 0), totals));
  }
  if (sum(rest)) {
    const row = body.insertRow();
    row.append(headerCell("other orders", "row"));
    row.insertCell().append(...bars(rest, totals));
  }
  box.append(scrolling(table));
  return box;
}

function legend(cards, letters) {
  const list = element("ul", "", "cards-legend");
  for (const card of letters) {
    const item = document.createElement("li");
    item.append(element("b", letterOf(card, letters)), " ", element("code", cards[card]));
    list.append(item);
  }
  return list;
}

function mark(cell, isRight) {
  cell.dataset.right = isRight;
  const sign = element("span", isRight ? "✓" : "✗", "sign");
  sign.setAttribute("role", "img");
  sign.setAttribute("aria-label", isRight ? "right" : "wrong");
  cell.append(sign);
}

// A bar for each round: the share of its votes.
function bars(values, totals) {
  return values.map((value, index) => {
    const share = totals[index] ? value / totals[index] : 0;
    const bar = element("span", "", "bar");
    bar.style.setProperty("--share", share);
    if (values.length > 1) bar.append(element("span", `Round ${index + 1}`, "round"));
    bar.append(element("span", "", "fill"), element("span", `${value} · ${Math.round(share * 100)} %`, "count"));
    return bar;
  });
}

function scrolling(table) {
  const box = element("div", "", "scroll");
  box.append(table);
  return box;
}
