// Package archive does the same work on each row of a long list of files, once.
//
// It owns the unit of batch work: Do, one idempotent function of a Row. Its
// outputs are made beside their place and renamed into it; a Record with their
// SHA-256 is written last; a row whose record fits and whose outputs are whole
// is not computed again; bad input becomes a dead letter with reason and
// remedy, not the end of the run. Run is the pool of one machine: no more rows
// in flight than workers, progress, a prompt stop, and going on after a kill.
//
// Outputs and records depend on the row alone, never on order or on who
// computed it, so another engine may call Do for the same rows on the same
// storage. It never knows what the work is.
//
// Two folders: Out, which may be handed on, holds nothing but outputs; State
// holds the records, which name the input files and so perhaps patients.
package archive
