"""Networks beside the ventral stream: layers' RDMs, their controls, and how well they fit cortical areas."""
