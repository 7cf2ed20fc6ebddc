// Package jpegll decodes lossless JPEG, the Huffman-coded process 14 of ITU-T
// T.81 annex H that DICOM uses: precision 2 to 16 bits, 1 to 4 components without
// subsampling, every selection value, point transform, restart intervals,
// interleaved and separate scans. It refuses the lossy processes, which the
// standard library reads, and knows nothing of DICOM.
//
// Reading order of the code: Decode (decode.go) reads the markers, scan.go
// predicts samples, huffman.go reads their differences.
package jpegll
