"""Nothing but a mark: it puts this folder on the path, so that tests of one room can use another's examples."""
