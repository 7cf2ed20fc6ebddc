package trainings

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/google/renameio/v2"

	"elastography/data"
	"elastography/data/archive"
)

// Conclude ends a plan whose rows were all done: it writes the table and returns its path. Checkpoints of unfinished
// trainings are deleted unless a training failed; the error then names the file with reasons and remedies.
func Conclude(f archive.Folders) (table string, err error) {
	if table, err = writeTable(f); err != nil {
		return table, err
	}
	letters, err := f.DeadLetters()
	if err != nil {
		return table, err
	}
	if len(letters) == 0 {
		return table, os.RemoveAll(Unfinished(f.State))
	}
	path, err := f.WriteDeadLetters(letters)
	if err != nil {
		return table, err
	}
	return table, fmt.Errorf("%d trainings failed; reasons and remedies are in %s", len(letters), path)
}

// writeTable writes trainings.csv into Out, a row a finished training in the order of their keys, and returns its path: what
// each was tested on, its error in kPa with the 95 % interval over patients, and its skill against the best baseline.
func writeTable(f archive.Folders) (path string, err error) {
	path = filepath.Join(f.Out, "trainings.csv")
	file, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return path, fmt.Errorf("table of the trainings: %w", err)
	}
	defer file.Cleanup()
	table := csv.NewWriter(file)
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', 9, 64) }
	_ = table.Write([]string{"training", "run", "test_patients", "test_planes", "source", "mae_kpa", "low_kpa", "high_kpa", "best_baseline", "skill"}) // Error has it
	for r, err := range f.Records() {
		if err != nil {
			return path, fmt.Errorf("table of the trainings: %w", err)
		}
		if r.Refused != nil {
			continue
		}
		var t Result
		if err := json.Unmarshal(r.Result, &t); err != nil {
			return path, fmt.Errorf("table of the trainings: record %s: %w", r.Row.Key, err)
		}
		source := data.Imported
		if t.Simulated {
			source = data.Simulated
		}
		_ = table.Write([]string{r.Row.Key, t.Run, strconv.Itoa(t.Patients), strconv.Itoa(t.Planes), source, number(t.MeanMAEKPa), number(t.MAEKPa[0]), number(t.MAEKPa[1]), t.Best, number(t.Skill)})
	}
	if table.Flush(); table.Error() != nil {
		return path, fmt.Errorf("table of the trainings: %w", table.Error())
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return path, fmt.Errorf("table of the trainings: %w", err)
	}
	return path, nil
}
