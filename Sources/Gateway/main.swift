import Glibc
import System

let program = Program(environment: ProcessEnvironment.all, start: Workers.start)
exit(program.run(Array(CommandLine.arguments.dropFirst())))
