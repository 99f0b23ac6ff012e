"""Rules as data: model, loader, predicates, engine, explain."""
