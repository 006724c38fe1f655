"""The documentation as a site that can be read offline, made from contracts, code and pages.

`survey` asks the code what it declares, `system` puts it together with the contracts, `layout` and
`drawing` make the map of it, `pages` renders what is written by hand, `searching` makes the index,
and `rendering` writes the site. `main` is the command.
"""
