"""Real guests for trying and measuring: image, boot, workloads inside."""
