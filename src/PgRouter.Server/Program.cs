Console.WriteLine("pgrouter");
