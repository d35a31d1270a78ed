# make run: a fresh machine to the demo on http://127.0.0.1:8000. PORT= another port, VAR= the folder of its data.
.PHONY: run test test-fast test-s3 test-office lint bench translations pictures

run:
	@sh scripts/run.sh

test:
	@sh scripts/environment.sh dev
	@sh scripts/browser_tools.sh
	@.venv/bin/python -m pytest -n 2 --dist loadgroup $(ARGS)

# Under a minute: all pure rules, the laws of the house, and the rooms and doors that decide who may do what.
FAST = rules house $(addprefix rooms/,audit delivery gate identity kernel scoring vendors) $(addprefix sites/,api auth shared)

test-fast:
	@sh scripts/environment.sh dev
	@.venv/bin/python -m pytest -n 2 $(addprefix tests/,$(FAST)) -m "not browser and not s3 and not slow" $(ARGS)

test-s3:
	@sh scripts/environment.sh dev
	@GATEHOUSE_TEST_RGW=1 .venv/bin/python -m pytest -m s3 $(ARGS)

# Through LibreOffice Calc (Debian: apt-get install libreoffice-calc-nogui). GATEHOUSE_TEST_OFFICE= another command for it.
test-office:
	@sh scripts/environment.sh dev
	@GATEHOUSE_TEST_OFFICE="$${GATEHOUSE_TEST_OFFICE:-soffice}" .venv/bin/python -m pytest tests/office $(ARGS)

lint:
	@sh scripts/environment.sh dev
	@sh scripts/lint.sh

# The German catalogue anew from the sources; write what it names as missing into messages.po and run it once more.
translations:
	@sh scripts/environment.sh dev
	@sh scripts/translations.sh

bench:
	@sh scripts/environment.sh dev
	@.venv/bin/python -m bench $(ARGS)

# Pictures of both sides' pages for docs/images, from a demo that runs: VAR= the folder of its data.
pictures:
	@sh scripts/environment.sh dev
	@sh scripts/browser_tools.sh
	@.venv/bin/python -m scripts.pictures $(ARGS)
