# The imports of Rust files, given by their paths below `src`: a line each, importing and imported
# file.
#
# An import is a path in a `use` or in code that begins with `crate`, `self`, `super` or a child
# module. A declaration `mod x;` is none.

function module_of(file) {
    sub(/\.rs$/, "", file); sub(/(^|\/)(mod|lib|main)$/, "", file); return file
}
function file_of(module) {
    return module in by_module ? by_module[module] : ""
}
function parent_of(module) {
    return module ~ /\// ? substr(module, 1, match(module, /\/[^\/]*$/) - 1) : ""
}
# The file that the longest part of a path names.
function imported(path, module,    count, part, i, at, next_at, found) {
    count = split(path, part, "::")
    i = 1; at = module
    if (part[1] == "crate") { at = ""; i = 2 }
    else if (part[1] == "self") i = 2
    else if (part[1] == "super") for (; part[i] == "super"; i++) at = parent_of(at)
    else if (file_of((module == "" ? "" : module "/") part[1]) == "") return ""
    found = file_of(at)
    for (; i <= count; i++) {
        next_at = at == "" ? part[i] : at "/" part[i]
        if (file_of(next_at) == "") break
        at = next_at; found = file_of(at)
    }
    return found
}
# Splits a `use` tree into paths.
function expand(prefix, tree, file, module,    i, c, depth, item, open) {
    open = index(tree, "{")
    if (!open) { arrow(file, imported(prefix tree, module)); return }
    prefix = prefix substr(tree, 1, open - 1)
    tree = substr(tree, open + 1)
    for (i = 1; i <= length(tree); i++) {
        c = substr(tree, i, 1)
        if (c == "{") depth++
        if ((c == "," || c == "}") && !depth) {
            if (item != "") expand(prefix, item, file, module)
            item = ""
            if (c == "}") return
        } else item = item c
        if (c == "}") depth--
    }
}
function arrow(from, to) {
    if (to != "" && to != from && !((from, to) in seen)) { seen[from, to]; print from, to }
}
function read(file,    line, text, module, use, rest, inner) {
    module = module_of(file)
    while ((getline line < file) > 0) {
        if (line ~ /^[ \t]*\/\//) continue
        # A module inside the file is one level deeper.
        inner = line ~ /^[ \t]/
        if (inner) gsub(/super::super/, "super", line) || gsub(/super::/, "", line)
        text = text line "\n"
    }
    close(file)
    rest = text; text = ""
    while (match(rest, /(^|\n|\) )[ \t]*(pub(\([a-z]+\))? )?use [^;]*;/)) {
        use = substr(rest, RSTART, RLENGTH)
        text = text substr(rest, 1, RSTART)
        rest = substr(rest, RSTART + RLENGTH)
        sub(/.*use /, "", use); gsub(/;|[ \t\n]/, "", use)
        expand("", use, file, module)
    }
    rest = text rest
    while (match(rest, /(crate|super|self)(::[A-Za-z_0-9]+)+/)) {
        arrow(file, imported(substr(rest, RSTART, RLENGTH), module))
        rest = substr(rest, RSTART + RLENGTH)
    }
}
BEGIN {
    for (i = 1; i < ARGC; i++) by_module[module_of(ARGV[i])] = ARGV[i]
    for (i = 1; i < ARGC; i++) read(ARGV[i])
}
