"""hypothesis draws the same inputs in every run, and nothing is kept between runs."""

import hypothesis

hypothesis.settings.register_profile("same inputs every time", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("same inputs every time")
