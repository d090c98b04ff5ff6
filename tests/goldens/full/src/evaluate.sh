echo evaluated
