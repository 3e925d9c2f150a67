"""The local stack: our own templates, built and deployed to MiniStack on this machine, without an account or containers.

stack        up, down, status, reset: what the Makefile, the demonstration and the tests call
server       the MiniStack process: start, wait, stop cleanly so that its state is kept
processes    starting, knowing again and ending what outlives a command
sms          the process of the SMS and push stub
build        `sam build` where Python 3.13 is at hand, else `package`; skipped while the sources are unchanged
package      what `sam build` does, for the interpreter at hand
deploy       `sam deploy` of the built template, and what it put out
toolchain    finding or fetching an interpreter, the SAM CLI, the environment MiniStack runs in
cloudformation  reading templates with their short intrinsic functions
"""
