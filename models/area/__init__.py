"""Models of an area's points taken together, learnt from history with scikit-learn and run with numpy alone."""
