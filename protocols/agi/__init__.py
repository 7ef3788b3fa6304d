"""The Asterisk Gateway Interface: commands, their results, and the server's side of FastAGI. No I/O."""
