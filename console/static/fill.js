// Puts a view into the page. The places are named by data-bind attributes, which the templates wrote.

/** Fill `root`, an element or the whole document, from `item`; places inside of list items are not its own. */
export function fill(root, item) {
  const owner = root instanceof Element ? root : null;
  if (owner?.dataset.bind) put(owner, item);
  for (const element of root.querySelectorAll("[data-bind]")) {
    if (element.parentElement.closest("[data-key]") === owner && !element.dataset.key) put(element, item);
  }
}

/** Make the children of `list` one per item, by key; what stays is the same element as before. */
export function fillList(list, items) {
  const template = document.getElementById(list.dataset.template);
  const there = new Map([...list.children].map((child) => [child.dataset.key, child]));
  items.forEach((item, place) => {
    const child = there.get(item.key) ?? template.content.firstElementChild.cloneNode(true);
    there.delete(item.key);
    child.dataset.key = item.key;
    fill(child, item);
    if (list.children[place] !== child) list.insertBefore(child, list.children[place] ?? null);
  });
  for (const gone of there.values()) gone.remove();
}

function put(element, item) {
  for (const pair of element.dataset.bind.split(" ")) {
    const [attribute, path] = pair.split(":");
    const value = lookUp(item, path);
    if (attribute === "text") {
      if (element.textContent !== value) element.textContent = value;
    } else if (value === null || value === false) {
      element.removeAttribute(attribute);
    } else if (element.getAttribute(attribute) !== String(value)) {
      element.setAttribute(attribute, value === true ? "" : value);
    }
  }
}

function lookUp(item, path) {
  if (path.startsWith("!")) return !lookUp(item, path.slice(1));
  return path.split(".").reduce((value, name) => value[name], item);
}
