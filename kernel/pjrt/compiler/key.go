package compiler

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// key names a compiled program: equal keys mean that the plugin would compile the same code again.
type key [sha256.Size]byte

// key hashes all that decides what the plugin makes of a program. devices is the number of the client's devices.
func (c *cache) key(format, program, options, platform, devices []byte) key {
	if string(format) == "mlir" {
		program = canonical(program)
	}
	h := sha256.New()
	var size [8]byte
	for _, part := range [][]byte{format, program, options, platform, devices, []byte(c.flags()), []byte(c.identity), []byte(c.machine)} {
		binary.LittleEndian.PutUint64(size[:], uint64(len(part))) // so that no two lists of parts read the same
		h.Write(size[:])
		h.Write(part)
	}
	return key(h.Sum(nil))
}

// moduleName is where a StableHLO program names itself.
var moduleName = regexp.MustCompile(`^module @[A-Za-z0-9_$.]+`)

// canonical drops the names that mean nothing: the program's own, in which GoMLX counts, and those of its values, of which
// GoMLX draws some anew in each process; values are numbered in order of appearance. Programs in MLIR's binary form are left
// as they are.
func canonical(program []byte) []byte {
	if bytes.HasPrefix(program, []byte("ML\xefR")) {
		return program
	}
	program = program[len(moduleName.Find(program)):]
	out := make([]byte, 0, len(program))
	numbers := map[string]int{}
	for i := 0; i < len(program); {
		end := i + 1
		switch program[i] {
		case '"': // a string, in which a % is a %
			for end < len(program) && program[end] != '"' {
				if program[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end+1, len(program))
			out = append(out, program[i:end]...)
		case '%':
			for end < len(program) && inName(program[end]) {
				end++
			}
			n, seen := numbers[string(program[i:end])]
			if !seen {
				n = len(numbers)
				numbers[string(program[i:end])] = n
			}
			out = append(out, '%')
			out = strconv.AppendInt(out, int64(n), 10)
		default:
			out = append(out, program[i])
		}
		i = end
	}
	return out
}

// inName tells whether MLIR allows b in a value's name.
func inName(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || strings.IndexByte("$._-", b) >= 0
}

// flags lists the environment variables that XLA and its libraries read when they start, sorted. XLA_FLAGS may name a file,
// which is then part of it.
func flags() string {
	var list []string
	for _, v := range os.Environ() {
		name, value, _ := strings.Cut(v, "=")
		if name == "NPROC" || name == "OMP_NUM_THREADS" || strings.HasPrefix(name, "XLA_") || strings.HasPrefix(name, "TF_XLA_") ||
			strings.HasPrefix(name, "PJRT_") || strings.HasPrefix(name, "DNNL_") || strings.HasPrefix(name, "ONEDNN_") {
			if name == "XLA_FLAGS" && !strings.HasPrefix(strings.TrimSpace(value), "-") {
				content, _ := os.ReadFile(strings.TrimSpace(value))
				v += "\x00" + string(content)
			}
			list = append(list, v)
		}
	}
	slices.Sort(list)
	return strings.Join(list, "\x00")
}
