"""The judge process: judges an exercise at every save, for the page and for the terminal."""
