// What can be scrolled can be scrolled by keys as well.
for (const box of document.querySelectorAll("pre, div:has(> table)")) box.tabIndex = 0;
