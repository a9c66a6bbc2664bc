"""Programs and what they use, as they are uploaded; not what runs them."""
