"""Generators that are forked: the same to their coordinator as those that are started, and strangers to what it has open."""

import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks generators")


def printed(script):
    """Run a script in an interpreter of its own, which has no threads yet; return the lines that it prints."""
    command = [sys.executable, "-c", textwrap.dedent(script)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


def test_both_kinds_say_hello_and_are_gone_afterwards():
    """A forked generator and a started one speak alike, have sessions of their own, and end when their pool is left."""
    lines = printed("""
        import os, psutil
        from stressrunner.fleet import worker
        from stressrunner.fleet.event_loop import run_async
        from stressrunner.fleet.launch import WorkerPool

        async def talk(pool):
            async with pool:
                both = await pool.of_size(2)
                for one in both:
                    process = psutil.Process(one.pid)
                    print(await one.receive(), "stressrunner.fleet.worker" in process.cmdline(), os.getsid(one.pid) == one.pid)
            print([psutil.pid_exists(one.pid) for one in both])

        pool = WorkerPool()
        if pool.fork(1):
            worker.main()
        else:
            run_async(talk, pool)
    """)
    assert [line.partition(" ")[2] for line in lines[:2]] == ["False True", "True True"]
    assert lines[0].split()[0] == lines[1].split()[0]
    assert lines[2] == "[False, False]"


def test_the_end_of_one_is_told():
    """What a forked generator came to its end by is known as well as of any other process."""
    lines = printed("""
        from stressrunner.fleet import worker
        from stressrunner.fleet.event_loop import run_async
        from stressrunner.fleet.launch import WorkerPool

        async def talk(pool):
            async with pool:
                (one,) = await pool.of_size(1)
                await one.receive()
                one.kill()
                print(await one.receive(), await one.cause())

        pool = WorkerPool()
        if pool.fork(1):
            worker.main()
        else:
            run_async(talk, pool)
    """)
    assert lines == ["None signal 9"]


def test_its_last_words_are_kept():
    """An error in a forked generator goes to its own file, ends it, and comes to nothing in the coordinator."""
    lines = printed("""
        import tempfile
        from stressrunner.fleet import worker
        from stressrunner.fleet.event_loop import run_async
        from stressrunner.fleet.forked import forked
        from stressrunner.fleet.messages import Ping, frame_of

        async def talk(process):
            await process.stdin.send(frame_of(Ping()))
            print(await process.wait())
            await process.aclose()

        with tempfile.TemporaryFile() as complaints:
            process = forked(complaints)
            if process is None:
                worker.main()
            else:
                run_async(talk, process)
                complaints.seek(0)
                print(complaints.read().decode().strip().splitlines()[-1])
    """)
    assert lines[0] == "1"
    assert "ProtocolError" in lines[1]


def test_a_process_with_threads_is_not_forked():
    """A fork would copy the locks of other threads, and nobody to open them: generators are started then."""
    lines = printed("""
        import threading
        from stressrunner.fleet.forked import can_fork

        print(can_fork())
        leave = threading.Event()
        threading.Thread(target=leave.wait).start()
        print(can_fork())
        leave.set()
    """)
    assert lines == ["True", "False"]
