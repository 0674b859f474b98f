// What the pages of several widgets use; their Python puts it in front of their own module.

const GONE = "The kernel was restarted or is gone: run this cell again.";

/** Make an element: `tag.class`, its properties and attributes, its children. */
function make(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  element.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties)) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}
