"""Import a definition: from what somebody keeps it in to the files of a project that compiles to it."""
