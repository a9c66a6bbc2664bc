"""QPUs: what they can do, whether they are online, and what imitates them."""
