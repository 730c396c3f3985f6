# Turns descriptions of sources (extract/sources/NAME.yaml) into one C table; see struct description.

BEGIN {
    print "/* Made by extract/sources/embed.awk. */"
    print "#include \"extract/description.h\""
    print "#pragma GCC diagnostic ignored \"-Woverlength-strings\""
    print "const struct description descriptions[] = {"
}

FNR == 1 {
    if (NR > 1)
        print "    },"
    name = FILENAME
    sub(/.*\//, "", name)
    sub(/\.yaml$/, "", name)
    print "    {\"" name "\", \"" FILENAME "\","
}

{
    gsub(/[\\"?]/, "\\\\&")
    print "    \"" $0 "\\n\""
}

END {
    print "    },"
    print "    {0, 0, 0}"
    print "};"
}
