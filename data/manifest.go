package data

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strconv"

	"elastography/data/phantom"
)

var (
	manifestHeader = []string{"patient", "plane", "split", "organ", "scanner", "mm_per_px", "scale_max_kpa", "source", "sha256"}
	fociHeader     = []string{"patient", "focus", "zone", "isup_grade_group", "gleason", "diameter_mm"}
)

func manifestCSV(rows []Row) []byte {
	records := [][]string{manifestHeader}
	for _, r := range rows {
		records = append(records, []string{r.Patient, r.Plane, string(r.Split), r.Organ, r.Scanner,
			formatFloat(r.MMPerPx), formatFloat(r.ScaleMaxKPa), r.Source, r.SHA256})
	}
	return encodeCSV(records)
}

func fociCSV(foci []FocusRow) []byte {
	records := [][]string{fociHeader}
	for _, f := range foci {
		records = append(records, []string{f.Patient, strconv.Itoa(int(f.Focus)), f.Zone, strconv.Itoa(f.GradeGroup), f.Gleason,
			strconv.FormatFloat(f.DiameterMM, 'f', 1, 64)})
	}
	return encodeCSV(records)
}

func readManifest(path string) ([]Row, error) {
	records, err := readCSV(path, manifestHeader)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, 0, len(records))
	for i, f := range records {
		r := Row{Patient: f[0], Plane: f[1], Split: Split(f[2]), Organ: f[3], Scanner: f[4], Source: f[7], SHA256: f[8]}
		for _, v := range []struct {
			column int
			into   *float64
		}{{5, &r.MMPerPx}, {6, &r.ScaleMaxKPa}} {
			if *v.into, err = strconv.ParseFloat(f[v.column], 64); err != nil || !(*v.into > 0) {
				return nil, fmt.Errorf("%s line %d: %s is %q, expected a positive number", path, i+2, manifestHeader[v.column], f[v.column])
			}
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func readFoci(path string) ([]FocusRow, error) {
	records, err := readCSV(path, fociHeader)
	if err != nil {
		return nil, err
	}
	foci := make([]FocusRow, 0, len(records))
	for i, f := range records {
		label, err1 := strconv.ParseUint(f[1], 10, 8)
		grade, err2 := strconv.Atoi(f[3])
		diameter, err3 := strconv.ParseFloat(f[5], 64)
		if err1 != nil || err2 != nil || err3 != nil || grade < 0 || grade > 5 || (grade == 0) != (f[4] == phantom.NotGraded) {
			return nil, fmt.Errorf("%s line %d: focus %q, grade group %q or diameter %q is not a number in range (a tumour that is not graded has grade group 0 and Gleason %q)", path, i+2, f[1], f[3], f[5], phantom.NotGraded)
		}
		foci = append(foci, FocusRow{Patient: f[0], Focus: uint8(label), Zone: f[2], GradeGroup: grade, Gleason: f[4], DiameterMM: diameter})
	}
	return foci, nil
}

// readCSV reads a table whose first line must be header, and returns the lines after it.
func readCSV(path string, header []string) ([][]string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(b))
	r.FieldsPerRecord = len(header)
	records, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %v", path, ErrDamaged, err)
	}
	if len(records) == 0 || !slices.Equal(records[0], header) {
		return nil, fmt.Errorf("%s: %w: the first line must be %v", path, ErrDamaged, header)
	}
	return records[1:], nil
}

func encodeCSV(records [][]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.WriteAll(records) // a bytes.Buffer never fails
	return b.Bytes()
}

func formatFloat(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
