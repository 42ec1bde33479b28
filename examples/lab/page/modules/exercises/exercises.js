export function start_exercises(section, engine, bench) {}
