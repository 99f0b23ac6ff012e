"""Pure decisions: values in, values out; time is an argument."""
