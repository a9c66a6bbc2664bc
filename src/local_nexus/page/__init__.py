"""The web page of this cloud; what the pages of all clouds share is not here."""
