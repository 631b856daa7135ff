"""PAID: sends what is owed, keeps limits, retries what is worth it, and has every reply stored."""
