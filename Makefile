# make demo | run | test | lint | bench NAME=calls | lock
# Everything is installed on the way by setup.sh; see README.md.
# make pictures draws the dashboards' pictures in docs/ anew (takes half an hour and more).
.PHONY: help demo run test lint bench lock pictures
SHELL := /bin/sh
export MONITORING

help:
	@echo "make demo   the hotline with simulated callers and agents, until Ctrl-C"
	@echo "make run    the hotline without them"
	@echo "            (with MONITORING=1 either brings a Prometheus and an Alertmanager along)"
	@echo "make test   every test, real calls included"
	@echo "make lint   style, types, import contracts"
	@echo "make bench NAME=calls   measure (QUICK=1: within a minute)"

demo:
	@sh setup.sh demo && exec .venv/bin/sansheng demo

run:
	@sh setup.sh run && exec .venv/bin/sansheng run

test:
	@sh setup.sh test && exec sh tests/run.sh $(ARGS)

lint:
	@sh setup.sh test && exec sh tests/lint.sh

bench:
	@sh setup.sh test && exec .venv/bin/python -m bench.$(or $(NAME),calls)

lock:
	@sh setup.sh test && exec sh lock.sh

pictures:
	@sh setup.sh test && exec .venv/bin/python -m tests.draw_dashboards
