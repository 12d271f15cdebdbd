# SPDX-License-Identifier: ISC
# gdb for a program of many processes: takes hold of an agent that runs and of
# all its children, and knows them by their names.
#
#   sudo gdb -x tests/agent.gdb
#   (gdb) attach-agent PID          of sonde-agent; again after one restarted
#   (gdb) break spool_append        in whichever process comes there
#   (gdb) continue
#   (gdb) processes                 who they are and where each stands
#   (gdb) in keeper bt              one command in one of them
#
# Workers that start meanwhile run free; `set detach-on-fork off` holds them.
set confirm off
set pagination off
set breakpoint pending on
set schedule-multiple on
set print inferior-events off
set print thread-events off
# Some processes have a file system of their own, with nothing in it.
set sysroot /
# How the processes speak to each other, not what anybody looks for.
handle SIGCHLD SIGPIPE SIGTERM SIGALRM nostop noprint pass

python
import os

import gdb


def role_of(pid):
    """The name that the process gave itself: keeper, guardian, agent."""
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as comm:
            return comm.read().strip().removeprefix("sonde-")
    except OSError:
        return ""


def held():
    return [i for i in gdb.inferiors() if i.pid]


class Processes(gdb.Command):
    """List the processes: gdb's number, pid, name, and where each is."""

    def __init__(self):
        super().__init__("processes", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        here = gdb.selected_inferior()
        for inferior in held():
            inferior.threads()[0].switch()
            where = gdb.newest_frame()
            while where.older() and not (
                    where.find_sal().symtab and
                    where.find_sal().symtab.objfile.filename ==
                    inferior.progspace.filename):
                where = where.older()
            mark = "*" if inferior == here else " "
            print(f"{mark} {inferior.num:3} {inferior.pid:8} "
                  f"{role_of(inferior.pid):12} {where.name()}")
        if here.pid:
            here.threads()[0].switch()


class In(gdb.Command):
    """in NAME COMMAND: run a command in the process of that name, or of
that pid; without COMMAND stay there."""

    def __init__(self):
        super().__init__("in", gdb.COMMAND_RUNNING)

    def invoke(self, argument, from_tty):
        name, _, command = argument.partition(" ")
        found = [i for i in held() if name in (role_of(i.pid), str(i.pid))]
        if not found:
            names = ", ".join(role_of(i.pid) for i in held()) or "none"
            raise gdb.GdbError(f"no process is called '{name}'; "
                               f"there are: {names}")
        found[0].threads()[0].switch()
        if command:
            gdb.execute(command)


class AttachAgent(gdb.Command):
    """attach-agent PID: hold an agent that runs, and all its children."""

    def __init__(self):
        super().__init__("attach-agent", gdb.COMMAND_RUNNING)

    def invoke(self, argument, from_tty):
        try:
            pid = int(argument)
            with open(f"/proc/{pid}/task/{pid}/children",
                      encoding="ascii") as children:
                pids = [pid, *map(int, children.read().split())]
        except (ValueError, OSError) as error:
            raise gdb.GdbError("attach-agent: expected the PID of a "
                               f"sonde-agent that runs: {error}")
        for one in pids:
            if one in [i.pid for i in held()]:
                continue
            program = os.readlink(f"/proc/{one}/exe")
            if gdb.selected_inferior().pid:
                gdb.execute(f"add-inferior -exec {program}", to_string=True)
                newest = max(i.num for i in gdb.inferiors())
                gdb.execute(f"inferior {newest}", to_string=True)
            else:
                gdb.execute(f"file {program}", to_string=True)
            gdb.execute(f"attach {one}", to_string=True)
        gdb.execute("processes")


Processes()
In()
AttachAgent()
end
