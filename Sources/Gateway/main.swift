import Glibc
import System

let program = Program(environment: ProcessEnvironment.all) { _ in [] }
exit(program.run(Array(CommandLine.arguments.dropFirst())))
