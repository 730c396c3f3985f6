# Turns SQL files into C strings. With -v part=h it prints the declarations, with -v part=c the definitions.
# Paths are given as sql/<folder>/<name>.sql, or sql/<name>.sql, in the order wanted.

function begin_file(path,    parts, n) {
    sub(/^sql\//, "", path)
    n = split(path, parts, "/")
    symbol = path
    sub(/\.sql$/, "", symbol)
    gsub(/[^A-Za-z0-9]/, "_", symbol)
    symbol = "sql_" symbol
    if (part == "h")
        print "extern const struct query " symbol ";"
    else
        print "const struct query " symbol " = {\"" path "\","
    if (n == 2) {
        if (!(parts[1] in members))
            folders[++n_folders] = parts[1]
        members[parts[1]] = members[parts[1]] "&" symbol ", "
    }
}

function end_file() {
    if (symbol != "" && part == "c")
        print "    \"\"};"
}

BEGIN {
    print "/* Made by sql/embed.awk. */"
    if (part == "c") {
        print "#include \"common/sql.h\""
        print "#pragma GCC diagnostic ignored \"-Woverlength-strings\""
    }
}

FNR == 1 {
    end_file()
    begin_file(FILENAME)
}

part == "c" {
    gsub(/[\\"?]/, "\\\\&")
    print "    \"" $0 "\\n\""
}

END {
    end_file()
    for (i = 1; i <= n_folders; i++) {
        if (part == "h")
            print "extern const struct query *const sql_" folders[i] "[];"
        else
            print "const struct query *const sql_" folders[i] "[] = {" members[folders[i]] "0};"
    }
}
