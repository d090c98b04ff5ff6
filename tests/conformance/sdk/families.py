"""The builders of all cases, by the name of the case. Importing it imports the SDK, so `offline` must come first."""

import calls
import checks
import defaults
import flow
import models
import processing
import properties
import services
import training
import tuning

_MODULES = (calls, checks, defaults, flow, models, processing, properties, services, training, tuning)
CASES = {name: build for module in _MODULES for name, build in module.CASES.items()}
