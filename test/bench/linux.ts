import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

/*
 * Process figures from proc(5). On other systems they are NaN.
 */
const isLinux = process.platform === 'linux'

/** Current memory of a process, in MB. */
export function residentMemory(pid: number): number {
  return kilobytes(pid, 'VmRSS') / 1024
}

/** Peak memory of a process since `resetPeakMemory`, in MB. */
export function peakMemory(pid: number): number {
  return kilobytes(pid, 'VmHWM') / 1024
}

/** Resets the peak memory of a process. */
export function resetPeakMemory(pid: number): void {
  if (isLinux) writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

/** CPU time of processes so far, in seconds. */
export function cpuSeconds(pids: number[]): number {
  if (!isLinux) return Number.NaN
  return pids.reduce((sum, pid) => sum + (ticks(pid, 'user') + ticks(pid, 'system')) / 100, 0)
}

/** The innermost process with a variable in its environment: the server, not the npm or shell that started it. */
export function findProcess(name: string, value: string): number {
  const matches = processes().filter((pid) => readProcFile(pid, 'environ').split('\0').includes(`${name}=${value}`))
  const parents = new Set(matches.map((pid) => ticks(pid, 'parent')))
  return matches.find((pid) => !parents.has(pid)) ?? Number.NaN
}

/** All children of a process's parent: for a Postgres backend, all processes of the server. */
export function siblingProcesses(pid: number): number[] {
  const parent = ticks(pid, 'parent')
  return processes().filter((other) => ticks(other, 'parent') === parent)
}

function processes(): number[] {
  return isLinux ? readdirSync('/proc').map(Number).filter(Boolean) : []
}

const fields = { parent: 1, user: 11, system: 12 }

/** A field of `stat`, counted after the program name, which may contain spaces. Times are in hundredths of a second. */
function ticks(pid: number, field: keyof typeof fields): number {
  return Number(readProcFile(pid, 'stat').split(') ').at(-1)?.split(' ')[fields[field]] ?? 0)
}

function kilobytes(pid: number, field: string): number {
  return isLinux
    ? Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readProcFile(pid, 'status'))?.[1])
    : Number.NaN
}

function readProcFile(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    // The process has ended, or belongs to another user.
    return ''
  }
}
