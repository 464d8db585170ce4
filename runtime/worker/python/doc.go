// Package python is the worker's knowledge of Python: which interpreter a
// folder wants, which flows its files hold, and how a run is executed there by
// the Prefect engine. All that must be said in Python is in runner.py.
package python
