"""What tests do below ``/_local/`` in every cloud; what one adds is not here."""
