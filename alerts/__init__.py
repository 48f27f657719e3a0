"""What happens then: alarms, incidents, dispatch, the journal, notifiers and the console."""
