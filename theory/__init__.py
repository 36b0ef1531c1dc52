"""What is proved: every statement of the paper as code, corrected where it errs in print."""
