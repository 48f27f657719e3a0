"""How likely an alarm is to be real, learnt from the verdicts of those who closed such alarms before."""
