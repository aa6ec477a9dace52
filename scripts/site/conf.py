"""How Sphinx makes the site: nothing is fetched when it is read, and its search works in files."""

project = "cnbench"
copyright = "the authors of cnbench, Apache License 2.0"
html_title = "cnbench"
html_theme = "furo"
html_show_sphinx = False
html_copy_source = False
html_static_path = ["site.css", "site.js"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]

extensions = ["myst_parser"]
myst_heading_anchors = 3
# A reference to what is not there is a warning, and a warning ends the build (`--fail-on-warning`).
nitpicky = True
smartquotes = False  # a text is shown as it is written
